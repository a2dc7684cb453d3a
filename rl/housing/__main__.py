"""python -m rl.housing"""

import sys

from rl.housing.command import main

sys.exit(main())
