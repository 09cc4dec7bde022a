/*
 * What a call of the core answers: one list gives the codes, their names and
 * what they mean.
 *
 *   telar_status status = telar_index_queue_push_mp(queue, slot);
 *   if (status != TELAR_OK) log(telar_status_name(status));
 *
 * "Full", "empty" and "try again" are different answers on purpose: FULL and
 * EMPTY are states that last until another thread acts, AGAIN passes by itself
 * within a few instructions of another thread.
 *
 * Usable from C++. Any thread.
 */
#ifndef TELAR_CORE_STATUS_H
#define TELAR_CORE_STATUS_H

#define TELAR_STATUS_LIST(X)                                                 \
  X(OK, "done")                                                              \
  X(FULL, "no room: every place is taken")                                   \
  X(EMPTY, "nothing there")                                                  \
  X(AGAIN, "another thread is half way through the same place, try again")   \
  X(INVALID, "an argument is outside what the call accepts")                 \
  X(NO_MEMORY, "no free memory of the size asked for")                       \
  X(TOO_LARGE, "larger than the largest size there is, at any time")         \
  X(CLOSED, "the object is closed")                                          \
  X(BUSY, "in use by another thread")                                        \
  X(STALE, "the thing named is no longer in the state that the call is for") \
  X(ABORTED, "the object was aborted: nothing more goes in or comes out")    \
  X(CORRUPT, "the shared memory holds what the code never writes there")     \
  X(LIMIT, "as many are open at once as there can be")

typedef enum telar_status {
#define TELAR_STATUS_CODE(name, message) TELAR_##name,
  TELAR_STATUS_LIST(TELAR_STATUS_CODE)
#undef TELAR_STATUS_CODE
      TELAR_STATUS_COUNT /* not a status: how many there are */
} telar_status;

#ifdef __cplusplus
extern "C" {
#endif

/* "TELAR_FULL"; "TELAR_UNKNOWN" for a number that is no status. Never NULL. */
const char *telar_status_name(telar_status status);

/* What the code means, in words. Never NULL. */
const char *telar_status_message(telar_status status);

#ifdef __cplusplus
}
#endif

#endif
