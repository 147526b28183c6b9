/* SPDX-License-Identifier: Apache-2.0 */
/* LD_PRELOAD for libvirtd: files below SHARED lie on "NFS", so it allows live migration between hosts that share a plain folder.
 * gcc -shared -fPIC -DSHARED='"/folder"' -o sharedfs.so sharedfs.c -ldl */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/statfs.h>
#define PRETEND(name)                                                         \
    int name(const char *path, struct name *found)                            \
    {                                                                         \
        int (*real)(const char *, struct name *) = dlsym(RTLD_NEXT, #name);   \
        int result = real(path, found);                                       \
        if (!result && !strncmp(path, SHARED, strlen(SHARED)))                \
            found->f_type = 0x6969; /* NFS_SUPER_MAGIC */                     \
        return result;                                                        \
    }
PRETEND(statfs)
PRETEND(statfs64)
