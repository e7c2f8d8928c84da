"""The page that follows runs: it reads their journals and changes nothing."""
