/* Extensions as shared objects: found, trusted, loaded, of the right version. */
#ifndef BASE_SHARED_OBJECT_H
#define BASE_SHARED_OBJECT_H

#include "base/error.h"

struct shared_object {
    void *handle;       /* of dlopen() */
    const void *symbol; /* good until it is unloaded */
};

/*
 * Loads NAME.so from the first of the directories of `path` (colons between them; NULL: none) and then of our own that
 * has it, or `name` itself when it is an absolute path. Root's programs load nothing that somebody else could have
 * written: the file and all directories above it must be root's, and nobody else's to write (but /tmp and its like).
 * What `symbol` names must be there and begin with an unsigned number, which must be `version`. -1 with *err.
 */
int shared_object_load(struct shared_object *object, const char *name, const char *path, const char *symbol,
                       unsigned version, struct error *err);
void shared_object_unload(struct shared_object *object); /* nothing loaded is fine */

#endif
