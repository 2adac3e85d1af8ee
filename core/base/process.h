#pragma once

#include <atomic>
#include <exception>
#include <memory>

#include "core/base/error.h"

namespace rec {

// What fork() leaves behind: a child lacks the parent's threads, and its copies of locks may be held for ever. Once a
// call has used the library, every child is a bystander: each call returns BAD_STATE, and nothing is freed.
class Process {
 public:
  static bool is_forked_child() { return forked_.load(std::memory_order_relaxed); }
  // From now on a fork() makes the child a bystander.
  static void note_use() {
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
  }
  // While it lives, a fork() makes the child a bystander: a lock may be held.
  class Setup {
   public:
    Setup() { setting_up_.fetch_add(1, std::memory_order_relaxed); }
    ~Setup() { setting_up_.fetch_sub(1, std::memory_order_relaxed); }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;
  };
  static Error forked_error() {
    return Error(
        REC_BAD_STATE,
        "this process was forked from one that had used Recore, which a fork cannot use; start a program by exec "
        "instead, or Python's workers by the start method \"spawn\"");
  }
  // For the thread that returns from host code, which may have called fork().
  static void throw_if_forked() {
    if (is_forked_child()) throw forked_error();
  }

 private:
  static void child_after_fork();
  static const int watch_;
  static std::atomic<bool> forked_, used_;
  static std::atomic<int> setting_up_;
};

// Within catch (...): whether the thread is being ended, by pthread_exit() in host code. That must go on: throw;
inline bool thread_is_ending() { return std::current_exception() == nullptr; }

// An object that a forked child must not destroy, since threads of the parent wait in it.
struct DeleteUnlessForked {
  template <class T>
  void operator()(T* object) const {
    if (!Process::is_forked_child()) delete object;
  }
};
template <class T>
using OwnedByProcess = std::unique_ptr<T, DeleteUnlessForked>;

}  // namespace rec
