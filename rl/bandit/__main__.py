"""python -m rl.bandit"""

import sys

from rl.bandit import main

sys.exit(main())
