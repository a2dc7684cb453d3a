"""One file per question: how fast are we beside the frameworks, how does the cost grow?  `python -m bench
--help`
"""
