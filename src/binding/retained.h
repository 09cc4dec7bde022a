// retained.h - base of objects that JavaScript functions keep alive (call.h, Bind). All in one
// thread.
#ifndef TELAR_BINDING_RETAINED_H
#define TELAR_BINDING_RETAINED_H

namespace telar {

class Retained {
 public:
  void Retain() { references_++; }
  void Release() {
    if (--references_ == 0) delete this;
  }

 protected:
  // The creator holds the first reference.
  Retained() = default;
  Retained(const Retained&) = delete;
  Retained& operator=(const Retained&) = delete;
  // Also reached when the environment ends.
  virtual ~Retained() = default;

 private:
  int references_ = 1;
};

}  // namespace telar

#endif
