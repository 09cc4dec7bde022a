#!/bin/sh
# Checks that each layer depends only on lower ones, and that the core is self-contained:
#   - no header of Node, Node-API, V8 or libuv below src/binding; src/os does not use the core
#   - <stdatomic.h> is included in one place only
#   - the headers that the binding includes are C++17, and each header compiles by itself
#   - the objects export telar_* and nothing else, and allocate nothing
# usage: test_layers.sh <src> <object>...
set -u
source=$1
shift
failed=0

fail() {
  echo "test_layers: $1" >&2
  [ -n "${2:-}" ] && echo "$2" >&2
  failed=1
}

found=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^">]*/)?(node|napi|uv|v8|js_native)[^">]*[>"]' "$source"/core/* "$source"/os/*)
[ -n "$found" ] && fail 'a header of Node or libuv below src/binding:' "$found"

found=$(grep -nE '#[[:space:]]*include[[:space:]]*"[^"]*core/' "$source"/os/*)
[ -n "$found" ] && fail 'src/os includes a header of src/core:' "$found"

found=$(grep -lE '#[[:space:]]*include[[:space:]]*<stdatomic\.h>' "$source"/core/* "$source"/os/*)
[ "$found" = "$source/core/atomic.h" ] || fail 'only core/atomic.h includes <stdatomic.h>, found in:' "$found"

for header in "$source"/core/*.h "$source"/os/*.h; do
  ${CC:-cc} -std=c11 -Wall -Wextra -Werror -Wpedantic -x c -fsyntax-only "$header" 2>/dev/null ||
    ${CC:-cc} -std=c11 -x c -fsyntax-only "$header" || fail "$header does not compile by itself"
done
for header in core/status.h core/slab.h core/histogram.h core/thread_registry.h core/ring.h core/ring_wait.h os/os.h; do
  printf '#include "%s"\nint main() { return 0; }\n' "$header" |
    ${CXX:-c++} -std=c++17 -Wall -Wextra -Werror -Wpedantic -I"$source" -x c++ -fsyntax-only - ||
    fail "$header is not C++17"
done

# macOS puts an underscore before each name.
exported=$(${NM:-nm} -g "$@" | awk 'NF == 3 { sub(/^_telar/, "telar", $3); print $3 }')
echo "$exported" | grep -qx telar_slab_alloc || fail 'nm does not list telar_slab_alloc, so the check of exports cannot work'
found=$(echo "$exported" | grep -v '^telar_')
[ -n "$found" ] && fail 'exported without the prefix telar_:' "$found"

found=$(${NM:-nm} -u "$@" | grep -wE '_?(malloc|calloc|realloc|free|aligned_alloc|posix_memalign)')
[ -n "$found" ] && fail 'the core allocates (its memory comes from the caller):' "$found"

[ "$failed" -eq 0 ] && echo 'layers: ok'
exit "$failed"
