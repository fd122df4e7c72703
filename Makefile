# steadysocket. What a person may want:
#
#   make            builds into build/; see LUA_PATH and LUA_CPATH below
#   make test       installs what is missing, builds, and runs every spec, twice, in random orders
#   make specs      runs every spec once; ARGS='--filter=proxy spec/tls_spec.lua' picks some
#   make core-specs runs the specs of the core alone, which need no more than Lua, busted and zlib
#   make demo       shows a client that loses its server and comes back; URL=wss://... for a real one
#   make bench      measures and writes BENCHMARKS.md; ARGS=--quick a little, ARGS=--help what else;
#                   LIBWEBSOCKETS_PREFIX=/opt/lws with the libwebsockets that is installed there
#   make bench-storm   has a million simulated clients lose their server, and a thousand real ones
#   make lint       luacheck, clang-format, cppcheck, layers, conversions of numbers and characters, and
#                   whether the rockspec is complete
#   make format     formats the C code
#   make asan       the specs under AddressSanitizer and UndefinedBehaviorSanitizer
#   make tsan       Lua states in threads, under ThreadSanitizer
#   make valgrind   the specs under valgrind
#   make hard       the specs' programs on a Lua that collects all garbage at each allocation
#   make fuzz       libFuzzer on each part of the core; SECONDS=1800 for each, 60 without
#   make explore    every order of events of a client, up to as many events as SECONDS=60 allow
#   make soak       200 clients whose server is killed all the time; SECONDS=300, 60 without
#   make conformance   runs the cases of the RFCs against Node's ws and Python's websockets too, and
#                   writes docs/conformance.md
#   make coverage   what the specs run of the sources, in C and in Lua; docs/coverage.md has the rest
#   make clean
#   make install    installs with LuaRocks; TREE=dir into another tree than the system's
#   make system DIST=trixie   all that a newcomer does, in a bare system of that Debian release, which
#                   debootstrap makes: clone, demo, test, LuaRocks. ARCH=i386 or arm64. As root.
#
# CC, CFLAGS and LDFLAGS are as usual, BUILD is the tree to build in. Warnings are errors with
# WERROR=-Werror only: they are for who works on this, not for who uses it with the compilers of tomorrow.

# What is built for development says at once when a client is in a state that must not be
# (src/client/invariants.c). What `make` builds, what is measured and what is installed does not look.
ifneq ($(filter compiled specs core-specs explore fuzz-programs build/tsan/%,$(MAKECMDGOALS)),)
BUILD := build/development
defines := -DSTEADY_INVARIANTS
else
BUILD := build
endif
LUA := $(shell tools/lua-name)
LUAROCKS := $(shell command -v luarocks || command -v luarocks-5.4 || echo luarocks)
PYTHON := /usr/bin/python3
CFLAGS ?= -O2 -g
WERROR ?=
ROCKSPEC := rockspec/steadysocket-scm-1.rockspec

core_sources := $(wildcard src/core/*.c)
sources := $(core_sources) $(wildcard src/loop/*.c src/dial/*.c src/client/*.c src/lua/*.c)
binding_sources := $(wildcard spec/core/binding/*.c)
lua_sources := $(wildcard src/steadysocket/*.lua src/steadysocket/*/*.lua)
c_files = $(sort $(shell find $(wildcard src spec bench examples tools) -name '*.[ch]'))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
module := $(BUILD)/steadysocket/core.so
binding := $(BUILD)/spec/core_binding.so
lua_modules := $(lua_sources:src/%=$(BUILD)/%)
command := $(BUILD)/bin/steadysocket

# Lua's functions are found in the interpreter that loads the module: only its headers are used.
# -isystem, so that warnings in other people's headers stay theirs.
core_libraries := zlib
libraries := libwebsockets libuv libssl libcrypto
includes := $(patsubst -I%,-isystem %,$(shell \
    for library in $(core_libraries) $(libraries) $$(tools/lua-pc); do \
        pkg-config --cflags $$library 2>/dev/null; done))
core_libs := $(shell pkg-config --libs $(core_libraries) 2>/dev/null) -lm
net_libs := $(shell pkg-config --libs $(libraries) 2>/dev/null)

# _DEFAULT_SOURCE: the POSIX names that uv.h needs, which -std=c11 alone would hide.
compile_flags := -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(WERROR) \
    -fPIC -fvisibility=hidden -Isrc $(includes) $(defines) $(CPPFLAGS) $(CFLAGS)

link_flags := -shared
ifeq ($(shell uname),Darwin)
link_flags := -bundle -undefined dynamic_lookup
endif

packages = CC='$(CC)' LUA='$(LUA)' tools/packages
or_look_again = || { rm -f $(found); false; }
MAKEFLAGS += --no-print-directory

all: $(module) $(lua_modules) $(command)

$(module): $(call objects,$(sources))
$(binding): $(call objects,$(core_sources) $(binding_sources))

# The binding of the core gets zlib and libm alone: a core that needed more could not be loaded there.
$(module) $(binding):
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) $(link_flags) $(CFLAGS) $(LDFLAGS) -o $@ $^ \
	    $(if $(filter $@,$(module)),$(net_libs)) $(core_libs) $(or_look_again)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | build-packages
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(compile_flags) -MMD -MP -c -o $@ $< $(or_look_again)

$(lua_modules): $(BUILD)/%: src/%
	@mkdir -p $(@D)
	cp $< $@

# It finds the modules of its build tree, wherever it is called from, and the Lua that is here. The tree's path
# is in long brackets because it may have a quote in it.
$(command): bin/steadysocket $(BUILD)/flags
	@mkdir -p $(@D)
	@tree=$$(cd $(BUILD) && pwd); { \
	    echo '#!/usr/bin/env $(LUA)'; \
	    printf '%s\n' "package.path = [==[$$tree/?.lua;$$tree/?/init.lua;]==] .. package.path"; \
	    printf '%s\n' "package.cpath = [==[$$tree/?.so;]==] .. package.cpath"; \
	    sed 1d $<; } >$@
	@chmod +x $@

# Changes only when the flags or the interpreter do, and with it all objects and the command.
flags := $(LUA) $(CC) $(compile_flags) $(LDFLAGS) $(net_libs) $(core_libs)
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' >$@

# The measurements' programs in C: a server that needs nothing of ours, and clients to compare with.
# bench/peers/build has those in other languages.
bench_programs := $(addprefix $(BUILD)/bench/,server bare libwebsockets transport)
lua_libs = $(shell pkg-config --libs $$(tools/lua-pc) 2>/dev/null)
bench_sources := $(wildcard bench/server/*.c bench/peers/*.c) bench/storm.c
bench_driver := $(call objects,bench/peers/driver.c)

$(BUILD)/bench/server: $(call objects,$(wildcard bench/server/*.c))
$(BUILD)/bench/bare: $(call objects,bench/peers/bare.c) $(bench_driver)
$(BUILD)/bench/libwebsockets: $(call objects,bench/peers/libwebsockets.c) $(bench_driver)
$(BUILD)/bench/transport: $(bench_driver) \
    $(call objects,bench/peers/transport.c $(core_sources) $(wildcard src/loop/*.c src/dial/*.c src/client/*.c))
$(bench_programs):
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(net_libs) $(lua_libs) $(core_libs) $(or_look_again)

bench-programs: all $(bench_programs)

# A simulation: the core alone.
storm := $(BUILD)/bench/storm
$(storm): $(call objects,bench/storm.c $(core_sources))
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(core_libs) $(or_look_again)

# Every order of events of a client whose loop, stream and attempt are not real (spec/explore). How
# its objects are compiled is left for explore_spec, which takes the one or other fix out.
explorer := $(BUILD)/explore/explore
explored := $(filter-out src/client/events.c src/client/upgrade.c,$(core_sources) $(wildcard src/client/*.c) src/dial/failure.c src/loop/ready.c)
explore_objects := $(patsubst %.c,$(BUILD)/explore/obj/%.o,$(explored) $(wildcard spec/explore/*.c))
$(BUILD)/explore/obj/src/%: explored_flags := -include spec/explore/substitutes.h
$(BUILD)/explore/obj/%.o: %.c $(BUILD)/flags | build-packages
	@mkdir -p $(@D)
	@echo "cc $< to explore"
	@$(CC) -Ispec/explore $(explored_flags) $(compile_flags) -MMD -MP -c -o $@ $< $(or_look_again)
$(explorer): $(explore_objects)
	@echo "link $@"
	@echo '$(CC) -Ispec/explore $(compile_flags) $(LDFLAGS) "$$@" $(core_libs)' >$(@D)/compile
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(core_libs) $(or_look_again)

explore: $(explorer)
	@$(explorer) $(SECONDS)

-include $(explore_objects:.o=.d)
-include $(patsubst %.o,%.d,$(call objects,$(sources) $(binding_sources) $(bench_sources) \
    $(wildcard spec/fuzz/*.c)))

# To look for all that the build needs takes seconds. So it is done when something has not been compiled or
# linked, and when one of these facts, which take no time, is not what it was when all was found.
needs := build
found := $(BUILD)/packages
facts = { echo '$(needs): $(flags)'; command -v $(firstword $(CC)); \
    pkg-config --modversion $(core_libraries) $(libraries); \
    ls "$$(pkg-config --variable=libdir libwebsockets)"/libwebsockets-evlib_uv.*; \
    cksum tools/packages tools/requirements src/lua/requirements.c; } 2>&1
build-packages:
	@mkdir -p $(BUILD)
	@facts=$$($(facts)); echo "$$facts" | cmp -s - $(found) || \
	    { $(packages) check $(needs) && echo "$$facts" >$(found); }

# Where Lua finds what was built, and last of all what the system has for other versions of it.
lua_path := spec/?.lua;$(BUILD)/?.lua;$(BUILD)/?/init.lua
lua_cpath := $(BUILD)/?.so;$(BUILD)/spec/?.so
lua_env = LUA_PATH='$(lua_path);;$(shell tools/lua-path)' LUA_CPATH='$(lua_cpath);;'

# UNDER: the command, if any, under which the interpreter runs. The bench's server is for Linux.
compiled: all $(binding) $(storm) $(explorer) $(if $(filter Linux,$(shell uname)),$(bench_programs))

specs: compiled
	@$(lua_env) LUA='$(LUA)' UNDER='$(UNDER)' tools/specs $(ARGS)

# The core alone, which needs neither libwebsockets nor libuv and OpenSSL.
core-specs: needs := core lua
core-specs: $(binding)
	@$(lua_env) LUA='$(LUA)' UNDER='$(UNDER)' tools/specs $(if $(ARGS),$(ARGS),spec/core)

# What builds starts make anew after installing: pkg-config may not have been there to ask before.
test:
	@$(packages) install build test
	@$(MAKE) specs
	@$(MAKE) specs

# -z nodelete: when leaks are looked for, the module is still there to be named.
sanitize := -fsanitize=address,undefined,float-cast-overflow
asan: CC = gcc
asan:
	@$(packages) install build test
	@LIMIT=400 $(MAKE) specs BUILD=build/asan CC='$(CC)' LDFLAGS='$(sanitize) -Wl,-z,nodelete' \
	    CFLAGS='-O1 -g $(sanitize) -fno-sanitize-recover -fno-omit-frame-pointer' \
	    UNDER="env LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
	        ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 \
	        LSAN_OPTIONS=suppressions=tools/lsan.supp:print_suppressions=0 \
	        UBSAN_OPTIONS=print_stacktrace=1"

# What loads the module is a program of the specs', which has the sanitizer in it. Lua, libwebsockets,
# libuv and OpenSSL do not: what they hand from thread to thread by atomics is not seen, so what they
# do to memory is not looked at.
tsan:
	@$(packages) install build test
	@$(MAKE) BUILD=build/tsan LDFLAGS='-fsanitize=thread' \
	    CFLAGS='-O1 -g -fsanitize=thread -fno-omit-frame-pointer' build/tsan/steadysocket/core.so
	@STEADY_TSAN=build/tsan TSAN_OPTIONS=ignore_noninstrumented_modules=1 \
	    $(MAKE) specs ARGS='spec/thread_spec.lua $(ARGS)'

# The programs that specs start, not the specs themselves, which would take hours. Without Lua's source
# there is nothing to do.
hard_specs := $(addprefix spec/,$(addsuffix _spec.lua,examples fork guide memory process readme signal))
hard:
	@$(packages) install build test
	@! tools/hard-lua build/hard || STEADY_INTERPRETER=build/hard/lua SPEC_PATIENCE=5 LIMIT=600 \
	    $(MAKE) specs ARGS='$(if $(ARGS),$(ARGS),$(hard_specs))'

# clang's libFuzzer, one program for each target, of the core alone.
fuzz_targets := $(patsubst spec/fuzz/%.c,%,$(wildcard spec/fuzz/*.c))
fuzz_programs := $(fuzz_targets:%=$(BUILD)/fuzz/%)
$(fuzz_programs): $(BUILD)/fuzz/%: $(call objects,spec/fuzz/%.c $(core_sources))
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) -fsanitize=fuzzer $(CFLAGS) -o $@ $^ $(core_libs) $(or_look_again)

fuzz-programs: $(fuzz_programs)

SECONDS := 60
fuzz_flags := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
fuzz:
	@$(packages) install build fuzz
	@$(MAKE) BUILD=build/fuzz CC=clang CFLAGS='$(fuzz_flags)' fuzz-programs
	@tools/fuzz build/fuzz $(SECONDS) $(fuzz_targets)

soak: all
	@$(packages) install build test
	@$(lua_env) $(LUA) tools/soak.lua $(SECONDS)

# In the versions that the bench has.
conformance: all
	@$(packages) install build test conformance
	@mkdir -p $(BUILD)/conformance
	@cp bench/peers/package.json bench/peers/package-lock.json $(BUILD)/conformance
	@npm ci --prefix $(BUILD)/conformance --ignore-scripts --no-audit --no-fund --silent
	@$(lua_env) $(LUA) tools/conformance/run.lua $(BUILD)/conformance/node_modules docs/conformance.md

coverage:
	@$(packages) install build test
	@ARGS='$(ARGS)' tools/coverage

valgrind:
	@$(packages) install build test valgrind
	@SPEC_PATIENCE=10 LIMIT=1200 $(MAKE) specs UNDER="valgrind --quiet --leak-check=full --show-leak-kinds=definite \
	    --errors-for-leak-kinds=definite --error-exitcode=99 --keep-debuginfo=yes \
	    --child-silent-after-fork=yes --suppressions=tools/valgrind.supp"

bench:
	@$(packages) install $(if $(LIBWEBSOCKETS_PREFIX),,build) bench
	@LUA='$(LUA)' BUILD='$(BUILD)' $(PYTHON) bench/run \
	    $(if $(LIBWEBSOCKETS_PREFIX),--libwebsockets '$(LIBWEBSOCKETS_PREFIX)') $(ARGS)

bench-storm:
	@$(packages) install build test
	@LUA='$(LUA)' BUILD='$(BUILD)' $(PYTHON) bench/storm.py $(ARGS)

demo:
	@$(packages) install build demo
	@$(MAKE) all
	@$(lua_env) LUA='$(LUA)' \
	    $(if $(URL),$(LUA) examples/echo.lua '$(URL)',$(PYTHON) tools/demo.py)

# What a newcomer does, in a system of its own.
system:
	@tools/system '$(or $(DIST),$(error DIST is missing: make system DIST=trixie))' $(if $(ARCH),'$(ARCH)')

# -k: all complaints at once, not those of the first linter only.
lint:
	@$(packages) install build lint
	@CC=clang LUA='$(LUA)' tools/packages install build
	@$(MAKE) -k lint-lua lint-format lint-c lint-gcc lint-clang conversions layers lint-rockspec

# No warning, with either compiler, in anything that is compiled here.
lint-gcc lint-clang: lint-%:
	@$(MAKE) CC=$* BUILD=$(BUILD)/lint/$* WERROR=-Werror compiled

lint-lua:
	luacheck --quiet --no-color $(filter-out build/,$(wildcard */))

lint-format:
	clang-format --dry-run -Werror $(c_files)

lint-c:
	cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
	    --error-exitcode=1 --suppress=missingIncludeSystem --suppress=unusedStructMember -Isrc $(filter %.c,$(c_files))

conversions:
	tools/conversions.sh $(filter-out $(WERROR) $(CFLAGS),$(compile_flags))

layers:
	$(LUA) tools/layers.lua src
	$(LUA) tools/layers.lua bench/server

lint-rockspec:
	$(LUA) tools/check-rockspec.lua $(ROCKSPEC) $(sources) $(lua_sources) bin/steadysocket

format:
	@$(packages) install lint
	clang-format -i $(c_files)

# In a copy, because LuaRocks leaves its objects next to the sources.
install:
	@$(packages) install build rocks
	@rm -rf $(BUILD)/rock
	@mkdir -p $(BUILD)/rock
	@cp -r bin src rockspec LICENSE $(BUILD)/rock
	cd $(BUILD)/rock && $(LUAROCKS) --lua-version=5.4 $(if $(TREE),--tree='$(abspath $(TREE))') \
	    make $(ROCKSPEC)

# And what `luarocks make`, run by hand, leaves behind.
clean:
	rm -rf $(BUILD) steadysocket src/*/*.o

force:

.PHONY: all compiled specs core-specs test system asan tsan hard valgrind fuzz fuzz-programs explore soak \
    conformance coverage \
    bench bench-programs \
    bench-storm demo lint lint-lua lint-format lint-c lint-gcc lint-clang lint-rockspec conversions layers format install clean \
    build-packages force
.DELETE_ON_ERROR:
