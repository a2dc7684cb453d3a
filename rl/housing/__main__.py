"""python -m rl.housing"""

import sys

from rl.housing import main

sys.exit(main())
