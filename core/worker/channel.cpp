#include "core/worker/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/base/log.h"
#include "core/base/process.h"

namespace rec {

namespace {

constexpr size_t kMostFiles = 3;
constexpr size_t kLargestPacket = size_t{64} << 10;  // the socket takes three times as much
constexpr int64_t kLargestMessage = int64_t{64} << 20;
constexpr std::string_view kWhat = "a message of the worker process";

union Control {  // the alignment that the kernel wants
  char bytes[CMSG_SPACE(kMostFiles * sizeof(int))];
  cmsghdr align;
};

}  // namespace

void Channel::close() {
  if (socket_.get() >= 0 && !Process::is_forked_child()) ::shutdown(socket_.get(), SHUT_RDWR);
  socket_.reset();
}

bool Channel::send(const Json& body, const std::vector<const MemoryFile*>& files,
                   const std::function<bool()>& keep_waiting) {
  const std::vector<uint8_t> bytes = Json::to_msgpack(body);
  if (bytes.size() <= kLargestPacket) return send_packet(bytes, files, keep_waiting);
  const MemoryFile note =
      MemoryFile::write("recore note", [&](FileWriter& out) { out.write(bytes.data(), std::ssize(bytes)); });
  std::vector<const MemoryFile*> with_note = files;
  with_note.push_back(&note);
  return send_packet(Json::to_msgpack(nullptr), with_note, keep_waiting);
}

bool Channel::send_packet(const std::vector<uint8_t>& bytes, const std::vector<const MemoryFile*>& files,
                          const std::function<bool()>& keep_waiting) {
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
    if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | (keep_waiting ? MSG_DONTWAIT : 0)) >= 0) return true;
    if (errno == EPIPE || errno == ECONNRESET || errno == EBADF) return false;
    if (errno == EAGAIN) {
      if (!keep_waiting()) return false;
      pollfd full{socket_.get(), POLLOUT, 0};
      ::poll(&full, 1, kPollMilliseconds);
    } else if (errno != EINTR)
      throw system_error("write to", "the worker process", errno);
  }
}

std::optional<Message> Channel::receive() {
  ssize_t size;
  do {
    size = ::recv(socket_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0 || static_cast<size_t>(size) > kLargestPacket) return std::nullopt;
  std::vector<char> bytes(size);
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
  Message message{parse_message(bytes, kWhat), {}};
  for (Descriptor& file : files) message.files.emplace_back(std::move(file));
  if (message.body.is_null() && !message.files.empty()) {
    const auto large = message.files.back().map();
    if (large->size() > kLargestMessage)
      throw Error(REC_CORRUPT_DATA, cat(kWhat, ": it has ", large->size(), " bytes"));
    message.body = parse_message(large->span(), kWhat);
    message.files.pop_back();
  }
  if (!message.body.is_object()) throw Error(REC_CORRUPT_DATA, cat(kWhat, ": it is no object"));
  return message;
}

Json note_of(const Error& error) {
  return {{"status", error.status}, {"message", error.message}, {"argument", error.argument},
          {"file", error.file},     {"line", error.line},       {"byte_offset", error.byte_offset}};
}

namespace {

template <class T>
T whole(const Json& value) {
  return whole_number<T>(value, REC_PLUGIN_FAILED);
}

Error error_of(const Json& note) {
  const auto status = whole<rec_status_t>(note.at("status"));
  if (status <= REC_OK || status > REC_INTERNAL) throw Unsound("an error has an unknown status");
  Error error(status, note.at("message").get<std::string>());
  if (error.message.empty()) throw Unsound("an error has no message");
  for (char& c : error.message)  // one line
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  note.at("argument").get_to(error.argument);
  note.at("file").get_to(error.file);
  error.line = whole<int64_t>(note.at("line"));
  error.byte_offset = whole<int64_t>(note.at("byte_offset"));
  return error;
}

TrainingEvent event_of(const Json& note) {
  for (const char* field : {"epoch", "n_epochs", "batch", "n_batches"}) whole<int64_t>(note.at(field));
  const auto kind = whole<int32_t>(note.at("kind"));
  if (kind < REC_EVENT_START || kind > REC_EVENT_CHECKPOINT) throw Unsound("an event is of an unknown kind");
  auto event = note.get<TrainingEvent>();
  if (event.metric_names.size() != event.metric_values.size()) throw Unsound("an event has metrics without values");
  return event;
}

}  // namespace

bool take_interim(const Json& body, const Observer& observer) {
  std::optional<TrainingEvent> event;
  std::optional<Error> error;
  try {
    if (body.contains("event"))
      event = event_of(body.at("event"));
    else if (body.contains("error"))
      error = error_of(body.at("error"));
    else if (body.contains("log"))
      log::write(whole<int32_t>(body.at("level")), body.at("log").get<std::string>());
    else if (body.contains("lost_lines"))
      log::add_dropped(whole<uint32_t>(body.at("lost_lines")));  // so that no sum of them overflows
    else
      return false;
  } catch (const Json::exception& unsound) {
    throw Unsound(unsound.what());
  } catch (const Error& unsound) {
    throw Unsound(unsound.message);
  }
  if (error) throw *error;
  if (event && observer) observer(*event);
  return true;
}

}  // namespace rec
