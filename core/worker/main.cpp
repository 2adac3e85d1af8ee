// recore-worker: started by the library to train or evaluate in a separate process; not meant for a shell.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

#include "core/worker/serve.h"

int main() {
  constexpr int kSocket = 3;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
    std::fputs("recore-worker is started by the Recore library, not by hand\n", stderr);
    return 2;
  }
  rec::serve_host(kSocket);
  ::_exit(0);  // skips a runtime's destructors, which have nothing to save
}
