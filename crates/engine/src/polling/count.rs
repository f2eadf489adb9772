//! Where a pass over the pages stands: whether a page is the last one, and whether rows left meanwhile.

use super::reader::PAGE_ROWS;

/// Counts the rows of one pass against the CRM's `totalResults`.
#[derive(Debug, Default)]
pub(super) struct Count {
    read: u64,
    most: u64,
}

/// What a page says of the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// No page follows.
    pub(super) last: bool,
    /// There are fewer rows than there were: one may have moved to a page that was already read.
    pub(super) shrunk: bool,
}

impl Count {
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Whether as many rows were read as there are, so that a page after them lies beyond the end.
    pub(super) fn is_whole(&self) -> bool {
        self.read >= self.most
    }

    /// Takes a page of `rows` rows, where the CRM says there are `total` in all.
    ///
    /// An empty page says nothing of the total, being an error to the CRM, and a CRM that sends no total counts each
    /// page for itself; so there are at least as many rows as were read. A short page ends the pass unless the total
    /// says that more follow: a server may give fewer rows a page than it was asked for. A full page ends it where it
    /// reaches a total that is not its own number of rows, unless it is the page before once more (`repeated`).
    pub(super) fn page(&mut self, rows: usize, total: u64, repeated: bool) -> Progress {
        let before = self.most;
        self.read += rows as u64;
        let known = if rows == 0 { self.read } else { total.max(self.read) };
        self.most = self.most.max(known);
        let short = rows < PAGE_ROWS as usize;
        let ends = short || (total > rows as u64 && !repeated);
        Progress {
            last: rows == 0 || (ends && self.read >= total),
            shrunk: known < before || (rows == 0 && total > self.read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(pages: &[(usize, u64)]) -> Vec<(bool, bool)> {
        let mut count = Count::default();
        pages
            .iter()
            .map(|(rows, total)| count.page(*rows, *total, false))
            .map(|p| (p.last, p.shrunk))
            .collect()
    }

    const GOES_ON: (bool, bool) = (false, false);
    const ENDS: (bool, bool) = (true, false);
    const ENDS_SHRUNK: (bool, bool) = (true, true);

    #[test]
    fn a_short_page_ends_the_pass() {
        assert_eq!(pages(&[(0, 0)]), [ENDS]);
        assert_eq!(pages(&[(1, 1)]), [ENDS]);
        assert_eq!(pages(&[(200, 201), (1, 201)]), [GOES_ON, ENDS]);
    }

    #[test]
    fn a_full_last_page_is_followed_by_an_empty_one() {
        assert_eq!(pages(&[(200, 200), (0, 0)]), [GOES_ON, ENDS]);
    }

    #[test]
    fn a_full_page_that_reaches_the_total_is_the_last() {
        assert_eq!(pages(&[(200, 400), (200, 400)]), [GOES_ON, ENDS]);
        assert_eq!(pages(&[(200, 400), (200, 401), (1, 401)]), [GOES_ON, GOES_ON, ENDS]);
        let mut count = Count::default();
        count.page(200, 250, false);
        assert!(!count.page(200, 250, true).last, "the same page again reaches nothing");
    }

    #[test]
    fn growth_is_normal_and_a_loss_is_not() {
        assert_eq!(pages(&[(200, 250), (51, 251)]), [GOES_ON, ENDS]);
        assert_eq!(pages(&[(200, 250), (49, 249)]), [GOES_ON, ENDS_SHRUNK]);
        assert_eq!(pages(&[(200, 600), (200, 601), (200, 600)])[2], ENDS_SHRUNK);
    }

    #[test]
    fn a_loss_that_empties_the_last_page_shows() {
        assert_eq!(pages(&[(200, 201), (0, 0)]), [GOES_ON, ENDS_SHRUNK]);
    }

    #[test]
    fn an_empty_page_that_claims_rows_is_a_loss() {
        assert_eq!(pages(&[(0, 7)]), [ENDS_SHRUNK]);
    }

    #[test]
    fn smaller_pages_than_asked_for_are_read_to_the_total() {
        assert_eq!(pages(&[(100, 250), (100, 250), (50, 250)]), [GOES_ON, GOES_ON, ENDS]);
    }

    #[test]
    fn a_crm_without_totals_is_read_to_a_short_page() {
        assert_eq!(pages(&[(200, 200), (200, 200), (57, 57)]), [GOES_ON, GOES_ON, ENDS]);
    }
}
