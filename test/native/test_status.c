/* Every status has its own name and message; other numbers have safe ones. */
#include "check.h"

int main(void) {
  CHECK(strcmp(telar_status_name(TELAR_OK), "TELAR_OK") == 0);
  CHECK(strcmp(telar_status_name(TELAR_NO_MEMORY), "TELAR_NO_MEMORY") == 0);
  CHECK(TELAR_OK == 0);
  for (int i = 0; i < TELAR_STATUS_COUNT; i++) {
    CHECK(strncmp(telar_status_name((telar_status)i), "TELAR_", 6) == 0);
    CHECK(strcmp(telar_status_name((telar_status)i), "TELAR_UNKNOWN") != 0);
    CHECK(strlen(telar_status_message((telar_status)i)) > 0);
    for (int j = 0; j < i; j++) {
      CHECK(strcmp(telar_status_name((telar_status)i), telar_status_name((telar_status)j)) != 0);
      CHECK(strcmp(telar_status_message((telar_status)i), telar_status_message((telar_status)j)) !=
            0);
    }
  }
  CHECK(strcmp(telar_status_name(TELAR_STATUS_COUNT), "TELAR_UNKNOWN") == 0);
  CHECK(strlen(telar_status_message(TELAR_STATUS_COUNT)) > 0);
  return 0;
}
