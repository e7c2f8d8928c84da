"""Files that are decoded once and read as memory-mapped arrays: folders of images, files of records."""
