"""Commands that show what came out of runs: in the terminal, as pictures, as a page."""
