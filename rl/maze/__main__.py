"""python -m rl.maze"""

import sys

from rl.maze import main

sys.exit(main())
