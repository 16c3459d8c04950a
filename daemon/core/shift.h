/* core/shift.h - where a row of numbers goes over to another level. Private to the core; pure. */
#pragma once

/* Index of the first number after the change that stands out most, and by how much the mean is higher after it; 0: none does,
 * and *ret_change is untouched. It may be asked after every number: in less than 5 % of rows that do not change is it ever > 0.
 */
unsigned shift_find(const double *x, unsigned n, double *ret_change);
