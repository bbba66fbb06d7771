/work/wt/build/error.o: lib/base/error.c lib/base/error.h
lib/base/error.h:
