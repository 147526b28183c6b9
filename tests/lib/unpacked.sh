#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Take a Debian package apart into a directory: nothing is installed, nothing is started,
# and nobody has to be root.
#   unpacked.sh FOLDER PACKAGE           that package alone
#   unpacked.sh FOLDER PACKAGE needed    with what it needs and this machine lacks
set -e
folder=$1 package=$2 needed=$3
command -v apt-get >/dev/null || exit 0
rm -rf "$folder.new" && mkdir -p "$folder.new"
take() {
    wanted=$package
    [ -z "$needed" ] || wanted=$(apt-get -s install --no-install-recommends "$package" |
        sed -n 's/^Inst \([^ ]*\).*/\1/p')
    # shellcheck disable=SC2086
    (cd "$folder.new" && rm -f ./*.deb && apt-get -qq download $wanted 2>/dev/null)
}
take || { apt-get update -q && take; }
for deb in "$folder.new"/*.deb; do
    dpkg -x "$deb" "$folder.new"
    rm "$deb"
done
rm -rf "$folder" && mv "$folder.new" "$folder"
