// The training parameters of the GRU4Rec authors' code: from a text, from a file, and as ours.
#pragma once

#include <string>
#include <vector>

#include "cli/argparse.h"

namespace rec::cli::gru4rec {

// A parameter as it was given.
struct Given {
  std::string name;
  std::string text;   // 0.5, True, bpr-max; a list as 100/200
  std::string shown;  // as Python prints it
  std::string where;  // "-ps", or "FILE:LINE"
};

// "layers=100/200,loss=bpr-max".
std::vector<Given> read_parameter_string(const std::string& text);
// `gru4rec_params = OrderedDict([('layers', [100]), ...])`. The file is read as text and never run; a Failure with file and
// line for anything but plain values.
std::vector<Given> read_parameter_file(const std::string& path);

struct Parameters {
  std::vector<std::string> lines;  // that tell what was set, in the authors' form
  Json ours = Json::object();      // of the model gru4rec; values as text
  int64_t batch_size = 0;
};
// Failure for a name or a value that the authors' code does not have, and for what would change results here.
Parameters translate(const std::vector<Given>& given);

// A failure that names a parameter of ours, with the authors' name.
Failure in_words_of_the_authors(Failure failure);

}  // namespace rec::cli::gru4rec
