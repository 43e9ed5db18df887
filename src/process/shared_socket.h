/*
 * The listening socket of a [fcgi-program:x] (manual 1.4.9): on descriptor 0 of every child of the group, there from
 * before the first until the last is gone.
 */
#ifndef PROCESS_SHARED_SOCKET_H
#define PROCESS_SHARED_SOCKET_H

#include "base/error.h"
#include "base/handover.h"
#include "config/model.h"

struct shared_socket;

/*
 * Opens the socket and closes it again, so that what is wrong with it is known when the group is made. A host that is
 * a name is looked up here and only here, which may take its time. `config` is borrowed. NULL with *err. One that is to
 * be taken over is not opened.
 */
struct shared_socket *shared_socket_new(const struct config_fcgi_socket *config, bool is_taken, struct error *err);
void shared_socket_free(struct shared_socket *socket); /* closes it; NULL is fine */

/* The descriptor for one more child; the first opens it. Borrowed until the child's drop. -1 with *err. */
int shared_socket_hold(struct shared_socket *socket, struct error *err);

/* A child is gone, or was not made after all; the last one closes the socket and removes its file. */
void shared_socket_drop(struct shared_socket *socket);

void shared_socket_hand_over(struct shared_socket *socket, struct handover *handover);

#endif
