# The sources of the core, for make; wants SOURCE, the path of this folder. By listing, so that
# none is forgotten, as binding.gyp does it for node-gyp.

SYSTEM := $(shell uname -s | tr A-Z a-z)
OS_SOURCES := $(wildcard $(SOURCE)/os/os_$(SYSTEM)*.c)
CORE_SOURCES := $(wildcard $(SOURCE)/core/*.c) $(OS_SOURCES)
CORE_HEADERS := $(wildcard $(SOURCE)/core/*.h $(SOURCE)/os/*.h)
# What a program with nothing but rings needs.
RING_SOURCES := $(wildcard $(SOURCE)/core/ring*.c) $(SOURCE)/core/status.c $(OS_SOURCES)
