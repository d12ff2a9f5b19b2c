# make book   build the book and say where it is        make serve  build it and serve it on this machine
# make test   everything that can be checked            make lab    work in copies of the chapters, in JupyterLab
# make edit   open the chapters' sources, for authors
# make lint   style and types                           make lock   renew requirements.txt from pyproject.toml
# make pdf    the book as one PDF                      make ledger   renew the record of measured errors
# make binder-check   every chapter in Binder's environment    make release-check   everything, in a fresh clone
# make reroll SHIFTS=8   run the chapters under other dice and see whether what they say still holds (long)
# make sheets   photograph every page, wide and narrow, light and dark, to be looked at
# make experiments   compute anew the stored results that chapters plot (long; goes on where it stopped)
PORT ?= 8000
WORK ?= my-work
SHIFTS ?= 8
BIN = .venv/bin
# Much of the time of chapters and tests is compilation: what one has compiled the next one finds.
export JAX_COMPILATION_CACHE_DIR = $(CURDIR)/_build/jax-cache
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS = 0
# Neither settings of one's own nor fonts of another installation change a picture.
export MPLCONFIGDIR = $(CURDIR)/_build/matplotlib

.PHONY: book test unit lint serve lab edit lock exercises experiments reroll reroll-in-turn ledger pdf binder-check release-check mutants links sheets clean env browser

env:
	@sh tools/setup.sh

book: env
	@$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going
	@echo "The book is at file://$(CURDIR)/_build/html/book/index.html"

browser: env
	@$(BIN)/python tools/chromium.py

test: book browser
	@$(BIN)/python -m pytest -m "not binder" -n 2 --dist loadgroup --durations=10

unit: env
	@$(BIN)/python -m pytest -m "not browser and not lab and not binder" -n 2 --dist loadgroup

lint: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/codespell

serve: book
	@echo "http://127.0.0.1:$(PORT)/book/index.html  (Ctrl-C stops)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

# Into $(WORK) go copies of the notebooks; what somebody has worked in is never overwritten.
lab:
	@AFTERZERO_SHIFT=0 $(MAKE) book
	@$(BIN)/python tools/work.py _build/html/_notebooks $(WORK)
	@$(BIN)/jupyter lab --ServerApp.root_dir="$(abspath $(WORK))" --LabApp.default_url=/lab/tree/00-contents.ipynb

edit: env
	@$(BIN)/jupyter lab book

exercises: env
	@$(BIN)/python tools/stubs.py

experiments: env
	@$(BIN)/python -m afterzero.experiments

reroll: env
	@$(BIN)/python tools/reroll.py --shifts $(SHIFTS) --write

reroll-in-turn: env
	@$(BIN)/python tools/reroll.py --shifts 2 --in-turn

ledger: env
	@$(BIN)/python -m pytest -m statement --ignore tests/test_lab.py -n 2 --dist loadgroup
	@$(BIN)/python tools/ledger.py

pdf: book browser
	@$(BIN)/python tools/pdf.py

binder-check: env browser
	@$(BIN)/python tools/binder_check.py

mutants: env
	@$(BIN)/python tools/mutants.py

# All that a release must pass, in a fresh clone of what is committed.
release-check:
	@sh tools/release.sh

# Pictures of every page, wide and narrow, light and dark, for people to look at.
sheets: book browser
	@$(BIN)/python tools/sheets.py

links: env
	@$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

lock: env
	@sh tools/lock.sh

clean:
	rm -rf _build
