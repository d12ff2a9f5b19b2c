# make book   build the book and say where it is        make serve  build it and serve it on this machine
# make test   everything that can be checked            make lab    open the chapters in JupyterLab
# make lint   style and types                           make lock   renew requirements.txt from pyproject.toml
# make experiments   compute anew the stored results that chapters plot (long; goes on where it stopped)
PORT ?= 8000
BIN = .venv/bin

.PHONY: book test unit lint serve lab lock exercises experiments mutants links clean env browser

env:
	@sh tools/setup.sh

book: env
	@$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going
	@echo "The book is at file://$(CURDIR)/_build/html/book/index.html"

browser: env
	@$(BIN)/python tools/chromium.py

test: book browser
	@$(BIN)/python -m pytest

unit: env
	@$(BIN)/python -m pytest -m "not browser and not lab"

lint: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

serve: book
	@echo "http://127.0.0.1:$(PORT)/book/index.html  (Ctrl-C stops)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: env
	@$(BIN)/jupyter lab book

exercises: env
	@$(BIN)/python tools/stubs.py

experiments: env
	@$(BIN)/python -m afterzero.experiments

mutants: env
	@$(BIN)/python tools/mutants.py

links: env
	@$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

lock: env
	@sh tools/lock.sh

clean:
	rm -rf _build
