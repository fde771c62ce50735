#!/usr/bin/env bash
# The newer lane (Python 3.13, TFX 1.21, TensorFlow 2.21) on a machine of the older one: unpacks
# Debian 13 into FOLDER, installs the lock there, and runs the small demo and the tests, or a part.
#
#   sudo tests/lanes/debian13.sh FOLDER [demo] [tests [arguments of pytest]]
#
# Needs root, debootstrap, chroot and a mount namespace (`unshare --mount`); some 5 GB. What is in
# FOLDER already (Debian, the environment of the same lock) is used again. Only committed files are
# tried. How packages are reached is this machine's own: Debian by debootstrap's default or MIRROR,
# Python's by this machine's pip settings, certificates and environment, which are bound into the
# folder while a command runs, and never written there.
set -euo pipefail
folder=${1:?expected a folder: tests/lanes/debian13.sh FOLDER [demo] [tests [arguments of pytest]]}
shift
[ "$(id -u)" = 0 ] || { echo "debootstrap and chroot need root; got user $(id -un)" >&2; exit 2; }
for program in debootstrap chroot unshare git; do
  [ -n "$(command -v $program)" ] || { echo "$program is missing: apt-get install $program" >&2; exit 2; }
done
root=$(realpath -m "$folder")/root
repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)

if [ ! -e "$root/.unpacked" ]; then
  mkdir -p "$root"
  debootstrap --variant=minbase \
    --include=python3,python3-venv,python3-dev,gcc,g++,make,git,ca-certificates \
    trixie "$root" ${MIRROR:+"$MIRROR"}
  touch "$root/.unpacked"
fi

# The committed tree, anew; the environment and runs of an earlier call stay.
mkdir -p "$root/taxonomy"
find "$root/taxonomy" -mindepth 1 -maxdepth 1 ! -name .venv ! -name runs -exec rm -rf {} +
git -C "$repository" archive HEAD | tar -x -C "$root/taxonomy"

# inside COMMAND: run by a shell in the folder, where this machine's ways to packages are bound.
inside() {
  root="$root" unshare --mount --propagation private bash -c '
    set -euo pipefail
    bind() {
      [ -e "$1" ] || return 0
      if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$(dirname "$root$1")"; touch "$root$1"; fi
      mount --bind "$1" "$root$1"
    }
    mount -t proc proc "$root/proc" || bind /proc
    bind /dev
    mount -t tmpfs tmpfs "$root/dev/shm" || true
    bind /sys
    for place in /etc/resolv.conf /etc/hosts /etc/ssl/certs /etc/pip.conf /etc/xdg/pip "$HOME/.config/pip"; do
      bind "$place"
    done
    # Wheels and indices that lie on this disk, as pip is told of them.
    for place in $(python3 -m pip config list 2>/dev/null | grep -oE "(file:)?/+[^ '"'"']+" | sed "s#^file://##"); do
      [ ! -d "$place" ] || bind "$place"
    done
    exec chroot "$root" /bin/bash -c "cd /taxonomy && $0"
  ' "$1"
}

inside 'make setup PYTHON=python3 && .venv/bin/python -c "
import platform, keras, numpy, scipy, tensorflow, tfx
print(\"Python\", platform.python_version(), \"TFX\", tfx.__version__, \"TensorFlow\",
      tensorflow.__version__, \"Keras\", keras.__version__, \"NumPy\", numpy.__version__,
      \"SciPy\", scipy.__version__)
" 2>/dev/null'

if [ "${1:-demo}" = demo ]; then
  shift || true
  inside '.venv/bin/python -m tfx_pipeline demo --run runs/small --config smoke'
  [ $# = 0 ] && set -- tests
fi
if [ "${1:-}" = tests ]; then
  shift
  inside ".venv/bin/python -m pytest -p no:cacheprovider ${*:-tests -n 2 --dist loadfile}"
fi
