#include "plugins/popularity/popularity.h"

REC_PLUGIN_NOTE(popularity, "1.0.0", 0, "",
                "the items with the most interactions, the same for every user: the floor for every comparison");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::popularity::Popularity>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC, 1, ""))
