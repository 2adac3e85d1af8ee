// What a worker process may send, true or not, read as the library reads it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "core/plugin/registry.h"
#include "core/worker/channel.h"
#include "tests/fuzz/models.h"

namespace rec::fuzz {
namespace {

struct Seeds {
  std::vector<std::string> models;
  std::vector<char> report;
  std::vector<std::string> names{"ndcg@3", "recall@3"};
  ReportBounds bounds{};
};

const Seeds& seeds() {
  static const Seeds& all = *[] {
    auto* made = new Seeds;
    PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
    const auto data = small_data();
    made->bounds = {data->n_users(), data->n_items(), data->n(), 3};
    Protocol protocol;
    protocol.keep_lists = made->bounds.keep_lists;
    for (const ModelKind& kind : {kModelKinds[1], kModelKinds[5], kModelKinds[8]}) {
      Trainer trainer(data, kind.name, params_of(kind, 1), {});
      trainer.run([](const TrainingEvent&) {}, nullptr);
      const auto model = trainer.model(REC_MODEL_BEST);
      TextWriter file;
      write_model(file, *model, true);
      made->models.push_back(file.text);
      const MemoryFile report =
          share_report(evaluate(model, *data, protocol, parse_metrics("ndcg@3,recall@3"), 1, nullptr));
      const auto bytes = report.map();
      made->report.assign(bytes->begin(), bytes->end());
    }
    return made;
  }();
  return all;
}

Descriptor memory_file(const std::string& bytes, bool sealed) {
  Descriptor file(::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (::write(file.get(), bytes.data(), bytes.size()) < 0) finding("no memory file");
  if (sealed) ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  return file;
}

std::string changed_report(Input& in) {
  std::string bytes(seeds().report.begin(), seeds().report.end());
  for (size_t n = in.below(4); n > 0; --n) {
    const int64_t value = odd_integer(in, 2);
    std::memcpy(bytes.data() + in.below(bytes.size() / 8) * 8, &value, sizeof value);
  }
  if (in.one_in(8)) bytes.resize(in.below(bytes.size()));
  return bytes;
}

std::string packed(const nlohmann::json& body) {
  const std::vector<uint8_t> bytes = nlohmann::json::to_msgpack(body);
  return {bytes.begin(), bytes.end()};
}

// Lists and objects opened again and again, and never closed; or of a length that nobody will send.
std::string endless(Input& in) {
  const std::string level = in.one_of({"\x91", "\x81\xa1k", "\xdd\x7f\xff\xff\xff", "\xdf\x7f\xff\xff\xff\xa1k",
                                       "\xdb\x7f\xff\xff\xff", "\xc6\x7f\xff\xff\xff", "\xc9\x7f\xff\xff\xff"});
  std::string out;
  for (size_t n = 1 + in.below(60000); n > 0 && out.size() < 60000; --n) out += level;
  return out;
}

std::string body(Input& in) {
  if (in.one_in(8)) return in.text(in.below(200));
  if (in.one_in(16)) return endless(in);
  if (in.one_in(8)) return packed(nullptr);  // the body is in the last file
  const nlohmann::json error = {{"status", 6}, {"message", "planted"}, {"argument", ""},
                                {"file", ""},  {"line", -1},           {"byte_offset", -1}};
  const nlohmann::json event = {{"kind", REC_EVENT_EPOCH},
                                {"epoch", 1},
                                {"n_epochs", 2},
                                {"batch", 1},
                                {"n_batches", 1},
                                {"loss", 0.5},
                                {"train_seconds", 0},
                                {"eval_seconds", 0},
                                {"metric_names", {"ndcg@3"}},
                                {"metric_values", {0.5}},
                                {"is_best", true}};
  nlohmann::json note = in.one_of<nlohmann::json>({{{"event", event}},
                                                   {{"log", "planted"}, {"level", 2}},
                                                   {{"lost_lines", 3}},
                                                   {{"error", error}},
                                                   {{"done", "model"}},
                                                   {{"done", "describe"}, {"text", "{}"}},
                                                   {{"done", "evaluate"}}});
  for (size_t n = in.below(3); n > 0; --n) {
    nlohmann::json* node = &note;
    while (node->is_structured() && !node->empty() && !in.one_in(4)) {
      auto child = node->begin();
      std::advance(child, in.below(node->size()));
      node = &*child;
    }
    *node = odd_json(in);
  }
  return packed(note);
}

Descriptor file(Input& in) {
  switch (in.below(8)) {
    case 0: return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    case 1: return memory_file(changed_report(in), false);
    case 2: return memory_file("", true);
    case 3: return memory_file(body(in), true);
    case 4: {
      Forgery forged(seeds().models[in.below(seeds().models.size())]);
      for (size_t n = in.below(3); n > 0; --n) change(in, forged, {forged});
      return memory_file(forged.bytes(in), true);
    }
    default: return memory_file(changed_report(in), true);
  }
}

void send(Input& in, int socket) {
  std::string bytes = body(in);
  iovec piece{bytes.data(), bytes.size()};
  std::vector<Descriptor> files;
  for (size_t n = in.one_in(2) ? 1 : in.below(6); n > 0; --n) files.push_back(file(in));
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!files.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(files.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
    for (size_t i = 0; i < files.size(); ++i) {
      const int number = files[i].get();
      std::memcpy(CMSG_DATA(header) + i * sizeof number, &number, sizeof number);
    }
  }
  ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// What each call makes of an answer.
void use(const Message& answer) {
  attempt([&] { read_answer("fuzzed", [&] { return answer.body.at("text").get<std::string>(); }); });
  attempt([&] { read_answer("fuzzed", [&] { return load_model_over(answer.files.at(0).map()); }); });
  attempt([&] {
    const auto report =
        read_answer("fuzzed", [&] { return shared_report(answer.files.at(0), seeds().names, seeds().bounds); });
    if (report->means.size() != report->names.size() ||
        report->values.size() != report->names.size() * report->users.size())
      finding("a report whose columns do not fit each other");
  });
}

void observe(const TrainingEvent& event) {
  if (event.metric_names.size() != event.metric_values.size()) finding("an event with names and no values");
}

bool interim(const Message& message) try { return take_interim(message.body, observe); } catch (const Error& error) {
  if (error.message != "planted") throw;
  if (error.status <= REC_OK || error.status > REC_INTERNAL) finding("an error without a status");
  return true;
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  rec::fuzz::seeds();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Input in(data, size);
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) finding("no socket");
  rec::Channel host{rec::Descriptor(sockets[0])};
  {
    const rec::Descriptor worker(sockets[1]);
    for (size_t n = 1 + in.below(3); n > 0; --n) send(in, worker.get());
  }
  for (bool open = true; open;)
    attempt([&] {
      const std::optional<rec::Message> message = host.receive();
      open = message.has_value();
      if (open && !interim(*message)) use(*message);
    });
  return 0;
}
