"""May this phone ring now, and if not, when next?"""
