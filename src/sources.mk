# The sources of the core, for make. SOURCE must be the path of this folder. The files are found by
# listing the folders, so that none is forgotten, as binding.gyp does for node-gyp.

SYSTEM := $(shell uname -s | tr A-Z a-z)
OS_SOURCES := $(wildcard $(SOURCE)/os/os_$(SYSTEM)*.c)
CORE_SOURCES := $(wildcard $(SOURCE)/core/*.c) $(OS_SOURCES)
CORE_HEADERS := $(wildcard $(SOURCE)/core/*.h $(SOURCE)/os/*.h)
# What a program that uses only rings needs.
RING_SOURCES := $(wildcard $(SOURCE)/core/ring*.c) $(SOURCE)/core/status.c $(OS_SOURCES)
