"""The drawings of the chapters, `afterzero.figures.chNN` for chapter N: stages, moving artists and figures.

What a chapter computes and which controls it offers stand in the chapter itself.
"""
