#include "core/worker/channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace rec {

namespace {

constexpr size_t kMostFiles = 3;
constexpr size_t kLargestPacket = size_t{64} << 10;  // the socket takes three times as much

union Control {  // the alignment that the kernel wants
  char bytes[CMSG_SPACE(kMostFiles * sizeof(int))];
  cmsghdr align;
};

}  // namespace

bool Channel::send(const Note& body, const std::vector<const MemoryFile*>& files) {
  const std::vector<uint8_t> bytes = Note::to_cbor(body);  // keeps NaN, and text that is not UTF-8
  if (bytes.size() <= kLargestPacket) return send_packet(bytes, files);
  const MemoryFile note =
      MemoryFile::write("recore note", [&](FileWriter& out) { out.write(bytes.data(), std::ssize(bytes)); });
  std::vector<const MemoryFile*> with_note = files;
  with_note.push_back(&note);
  return send_packet(Note::to_cbor(nullptr), with_note);
}

bool Channel::send_packet(const std::vector<uint8_t>& bytes, const std::vector<const MemoryFile*>& files) {
  iovec piece{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  if (!files.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(files.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
    for (size_t i = 0; i < files.size(); ++i) {
      const int fd = files[i]->descriptor();
      std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
    }
  }
  for (;;) {
    if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno == EPIPE || errno == ECONNRESET || errno == EBADF) return false;
    if (errno != EINTR) throw system_error("write to", "the worker process", errno);
  }
}

std::optional<Message> Channel::receive() {
  ssize_t size;
  do {
    size = ::recv(socket_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0 || static_cast<size_t>(size) > kLargestPacket) return std::nullopt;
  std::vector<uint8_t> bytes(size);
  iovec piece{bytes.data(), bytes.size()};
  Control control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  do {
    size = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return std::nullopt;
  std::vector<Descriptor> files;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      files.emplace_back(fd);
    }
  }
  Message message{Note::from_cbor(bytes), {}};
  for (Descriptor& file : files) message.files.emplace_back(std::move(file));
  if (message.body.is_null() && !message.files.empty()) {
    message.body = Note::from_cbor(message.files.back().map()->span());
    message.files.pop_back();
  }
  return message;
}

Note note_of(const Error& error) {
  return {{"status", error.status}, {"message", error.message}, {"argument", error.argument},
          {"file", error.file},     {"line", error.line},       {"byte_offset", error.byte_offset}};
}

Error error_of(const Note& note) {
  Error error(note.at("status").get<rec_status_t>(), note.at("message").get<std::string>());
  note.at("argument").get_to(error.argument);
  note.at("file").get_to(error.file);
  note.at("line").get_to(error.line);
  note.at("byte_offset").get_to(error.byte_offset);
  return error;
}

}  // namespace rec
