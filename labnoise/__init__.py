"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions."""
