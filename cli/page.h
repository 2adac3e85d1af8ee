// Pieces of the pages that commands write: one HTML file each, with its style and drawings inside.
#pragma once

#include <string>
#include <vector>

#include "cli/charts.h"

namespace rec::cli {

std::string tile(const std::string& figure, const std::string& what);
// A drawing with its title, its key (HTML) and its caption; nothing without a drawing.
std::string figure(const std::string& title, const std::string& key, const std::string& svg,
                   const std::string& caption);
// rows[0] is the header; columns from first_number on are aligned to the right.
std::string table_html(const std::vector<std::vector<std::string>>& rows, size_t first_number);
void write_page(const std::string& argument, const std::string& path, const std::string& title,
                const std::string& body);

}  // namespace rec::cli
