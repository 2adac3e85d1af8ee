/* Loads the library by a relative path and leaves the folder: what is beside the library must still be found.
   relative_program FOLDER, where librecore.so is. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rec_c_api.h"

int main(int argc, char** argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 2;
  void* library = dlopen("./librecore.so", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL || chdir("/") != 0) return puts(dlerror()), 2;
  rec_status_t (*list)(rec_text_t**, rec_error_t**);
  const char* (*data)(const rec_text_t*);
  *(void**)&list = dlsym(library, "rec_plugin_list");
  *(void**)&data = dlsym(library, "rec_text_data");
  rec_text_t* text = NULL;
  if (list(&text, NULL) != REC_OK) return 1;
  return strstr(data(text), "\"bprmf\"") != NULL ? 0 : 1;
}
