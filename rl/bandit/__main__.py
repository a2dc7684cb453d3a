"""python -m rl.bandit"""

import sys

from rl.bandit.command import main

sys.exit(main())
