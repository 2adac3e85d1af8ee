// The scripts of the public two-tower reproduction as experiments: what they share.
#pragma once

#include <string>
#include <vector>

#include "cli/argparse.h"
#include "cli/experiment/run.h"

namespace rec::cli::two_tower {

// A flag of a script. It and its default are the original's, unless it is ours.
struct Flag {
  const char* name;      // --batch_size
  char type;             // of a value: i, f, s; b: it has none
  const char* standard;  // value when it is not given; nullptr: it must be given
  const char* doc;
  const char* choices = "";
  bool is_ours = false;  // must be written in full, so that the original's abbreviations stay
  bool is_list = false;
};
using Flags = std::vector<Flag>;
Flags operator+(Flags a, const Flags& b);

// A command under the name of a script, or under our own: with a folder for the five files and dashes in its flags.
struct Script {
  const char* name;
  bool is_ours;
  Flags flags;  // spelt as the original's
  int (*run)(const class Call& call);
  const char* positional = "";  // what it takes beside its flags
};

// A script with the words that it was given.
class Call {
 public:
  Call(const Script& script, const argparse::Arguments& given, Context& where)
      : context(where), script_(script), given_(given) {}

  // Flags by the original's spelling.
  bool has(const std::string& name) const;
  std::string text(const std::string& name) const { return list(name).front(); }
  std::vector<std::string> list(const std::string& name) const;
  std::string spelt(const std::string& name) const;  // as the user knows it
  const std::string& positional() const { return given_.positional.front(); }
  bool is_ours() const { return script_.is_ours; }
  Failure refused(const std::string& name, const std::string& why) const;
  // A failure that names a parameter of the experiment, with the flag that gave it.
  Failure in_own_words(Failure failure) const;

  Context& context;

 private:
  const Script& script_;
  const argparse::Arguments& given_;
};

// The folder of a run: the files that were given, under the names that the format two_tower has for them. Files that are not
// together under these names are linked to from a folder that ends with this object.
class Folder {
 public:
  explicit Folder(const Call& call);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  bool is_linked() const { return !links_.empty(); }
  void check_is_no_input(const std::string& flag, const std::string& output, const Call& call) const;
  Failure in_given_words(Failure failure) const;

 private:
  struct File {
    std::string usual, given;
  };
  std::string path_, links_;
  std::vector<File> files_;
};

// The data and the seed of every script: a random 8:1:1 of all pairs.
Experiment experiment_on(const Folder& folder, const std::string& seed);
// How a pair is ranked, in training as in a comparison: against 99 items that its query never has.
void rank_pairs(Experiment& experiment);
// The card of a saved model; a Failure that names the flag for what is none.
Json card_of(const std::string& flag, const std::string& path, const Call& call);

void line(const std::string& text);
std::string rows_line(const char* part, const SplitData& data);

int train(const Call& call);
int export_index(const Call& call);
int retrieve(const Call& call);
int compare_bias(const Call& call);
int compare_three(const Call& call);
int compare_models(const Call& call);
int prepare(const Call& call);

}  // namespace rec::cli::two_tower
