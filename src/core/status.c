#include "status.h"

const char *telar_status_name(telar_status status) {
  switch (status) {
#define STATUS_NAME(name, message) \
  case TELAR_##name:               \
    return "TELAR_" #name;
    TELAR_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    case TELAR_STATUS_COUNT:
      break;
  }
  return "TELAR_UNKNOWN";
}

const char *telar_status_message(telar_status status) {
  switch (status) {
#define STATUS_MESSAGE(name, message) \
  case TELAR_##name:                  \
    return message;
    TELAR_STATUS_LIST(STATUS_MESSAGE)
#undef STATUS_MESSAGE
    case TELAR_STATUS_COUNT:
      break;
  }
  return "not a telar status";
}
