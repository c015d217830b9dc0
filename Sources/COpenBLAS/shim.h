// Why a shim: cblas.h leaves LAPACK out, and lapacke.h is a package of its own on Debian. Some Fortran routines of
// OpenBLAS's own LAPACK are declared here (netlib.org/lapack); matrices lie by columns.
#include <cblas.h>

/// Solves A X = B for a banded, symmetric positive definite A of order n; uplo is 'L' or 'U',
/// ab is (ldab, n) by columns, ldab >= kd + 1; b is overwritten with X. info > 0: A is not positive definite.
void dpbsv_(const char *uplo, const int *n, const int *kd, const int *nrhs, double *ab, const int *ldab, double *b,
            const int *ldb, int *info);

/// Eigenvalues w, ascending, of a symmetric a (n, n), and with jobz 'V' its eigenvectors in the columns of a. lwork -1: only
/// work[0] is set, to the best lwork.
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
            const int *lwork, int *info);

/// a (m, n) = Q R: R above the diagonal, Q as reflections below it and in tau.
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork,
             int *info);

/// The first n columns of Q (m, n) from k reflections.
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work,
             const int *lwork, int *info);

/// The Cholesky factor of the triangle uplo of a symmetric a (n, n). info > 0: a is not positive definite.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
