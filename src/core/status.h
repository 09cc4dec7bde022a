/*
 * Result of a call of the core. One list gives the codes, their names and their messages.
 *
 *   telar_status status = telar_index_queue_push_mp(queue, slot);
 *   if (status != TELAR_OK) log(telar_status_name(status));
 *
 * "Full", "empty" and "try again" are different results on purpose. FULL and EMPTY last until
 * another thread acts. AGAIN ends by itself within a few instructions of another thread.
 *
 * Usable from C++. Any thread.
 */
#ifndef TELAR_CORE_STATUS_H
#define TELAR_CORE_STATUS_H

#define TELAR_STATUS_LIST(X)                                                               \
  X(OK, "success")                                                                         \
  X(FULL, "no room: every place is taken")                                                 \
  X(EMPTY, "nothing to take")                                                              \
  X(AGAIN, "another thread is in the middle of an operation on the same place; try again") \
  X(INVALID, "an argument is invalid")                                                     \
  X(NO_MEMORY, "there is no free memory of the requested size")                            \
  X(TOO_LARGE, "larger than the maximum size")                                             \
  X(CLOSED, "the object is closed")                                                        \
  X(BUSY, "in use by another thread")                                                      \
  X(STALE, "the object is no longer in the state that the call requires")                  \
  X(ABORTED, "the object was aborted: nothing can be sent or received")                    \
  X(CORRUPT, "the shared memory holds values that this library never writes")              \
  X(LIMIT, "too many are open at once")                                                    \
  X(DROPPED, "no room: the record was dropped")

typedef enum telar_status {
#define TELAR_STATUS_CODE(name, message) TELAR_##name,
  TELAR_STATUS_LIST(TELAR_STATUS_CODE)
#undef TELAR_STATUS_CODE
      TELAR_STATUS_COUNT /* not a status: the number of statuses */
} telar_status;

#ifdef __cplusplus
extern "C" {
#endif

/* "TELAR_FULL"; "TELAR_UNKNOWN" for a number that is not a status. Never NULL. */
const char *telar_status_name(telar_status status);

/* The meaning of the code, in words. Never NULL. */
const char *telar_status_message(telar_status status);

#ifdef __cplusplus
}
#endif

#endif
