# SPDX-License-Identifier: Apache-2.0
# To be sourced in a mount namespace of one's own.

# overlay LAYERS FOLDER...: what is written below a FOLDER is seen by what runs in the
# namespace, and gone when it ends. LAYERS: an empty folder.
overlay() (
    layers=$1
    shift
    mount -t tmpfs -o mode=755 none "$layers"
    for folder in "$@"; do
        mkdir -p "$folder"
        upper=$layers$folder/upper work=$layers$folder/work
        mkdir -p "$upper" "$work"
        mount -t overlay overlay \
            -o "lowerdir=$folder,upperdir=$upper,workdir=$work" "$folder"
    done
)
