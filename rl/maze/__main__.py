"""python -m rl.maze"""

import sys

from rl.maze.command import main

sys.exit(main())
