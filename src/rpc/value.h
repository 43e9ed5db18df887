/* XML-RPC values. Public: plugins use it too. */
#ifndef RPC_VALUE_H
#define RPC_VALUE_H

#include <supervisor/value.h>

#endif
