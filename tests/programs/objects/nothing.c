/* A shared object that offers no benchmarks. */
extern int perfkit_test_nothing;
int perfkit_test_nothing = 1;
