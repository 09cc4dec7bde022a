/*
 * weak_memory: stores that other processes see late. Promela runs one step after another, so a
 * missing fence would never show. Here a plain store waits in a buffer, with one place for each
 * process, until a fence, a later store or chance (Memory) lets it land.
 *
 * What C11 allows and the models need: later loads of other places may pass a store. A release
 * keeps the store ahead of what is released, so it must land first. A relaxed read-modify-write
 * orders nothing, so the store may still wait behind it. Where a model removes a fence, the loads
 * that only this fence holds back are written by hand.
 *
 * The includer defines PROCESSES, LOCATIONS, LANDS_AT_ONCE(location) and QUEUES: locations below
 * QUEUES count what is in a queue; a store to one is a push, which adds one (each push has a cell
 * of its own).
 */
#define NOWHERE 255

byte memory[LOCATIONS];
byte waits_at[PROCESSES] = NOWHERE;
byte waits_value[PROCESSES];

inline land_(p)
{
  if
  :: waits_at[p] == NOWHERE
  :: waits_at[p] < QUEUES ->
     memory[waits_at[p]]++;
     waits_at[p] = NOWHERE;
     waits_value[p] = 0
  :: else ->
     memory[waits_at[p]] = waits_value[p];
     waits_at[p] = NOWHERE;
     waits_value[p] = 0
  fi
}

/* A plain, relaxed or release store, or a push. A store that waited before it lands first.
 * The second form is for use within a d_step, with 1 as its value. */
inline store(p, location, value)
{
  d_step {
    land_(p);
    waits_at[p] = location;
    waits_value[p] = value;
    if
    :: LANDS_AT_ONCE(location) -> land_(p)
    :: else
    fi
  }
}

inline publish(p, location)
{
  land_(p);
  waits_at[p] = location;
  waits_value[p] = 1;
  if
  :: LANDS_AT_ONCE(location) -> land_(p)
  :: else
  fi
}

/* A sequentially consistent fence. */
inline fence(p)
{
  d_step { land_(p) }
}

/* Chance: a store lands at any time. */
proctype Memory(byte p)
{
end:
  do
  :: d_step { waits_at[p] != NOWHERE -> land_(p) }
  od
}
