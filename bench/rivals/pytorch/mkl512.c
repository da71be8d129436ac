/* Answers "yes" when MKL asks whether the processor is Intel's, so that it uses AVX-512 on others too. */
int mkl_serv_intel_cpu_true(void) { return 1; }
