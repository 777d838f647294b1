import sys
from pathlib import Path

SLIDES = Path(__file__).parents[2] / "scripts" / "slides"
sys.path.insert(0, str(SLIDES))  # the scripts import their neighbours by name, as when they are run
