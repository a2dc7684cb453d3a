"""python -m rl.digits"""

import sys

from rl.digits.command import main

sys.exit(main())
