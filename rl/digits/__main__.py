"""python -m rl.digits"""

import sys

from rl.digits import main

sys.exit(main())
