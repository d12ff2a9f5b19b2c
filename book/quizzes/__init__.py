"""The questions at the end of each chapter: what a notebook asks without saying the answer."""
