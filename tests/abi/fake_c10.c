int recore_fake_c10(void);
__attribute__((visibility("default"))) int recore_fake_c10(void) { return 10; }
