# Two commands: `make demo` and `make test`. Each installs what it needs on a fresh Debian with Rust.
.PHONY: demo test setup setup-demo fuzz bench pages

CARGO ?= cargo

demo: setup-demo
	$(CARGO) run --quiet --release --bin telehand -- demo $(ARGS)

test: setup
	./scripts/test.sh

setup:
	@./scripts/setup.sh test

setup-demo:
	@./scripts/setup.sh demo

# Rebuild the committed pages from web/.
pages: setup
	./scripts/pages.sh

bench: setup
	$(CARGO) xtask bench

# A longer look by the fuzzer; `make test` has a short form. SECONDS=60 for each decoder.
fuzz: setup
	./scripts/fuzz.sh
