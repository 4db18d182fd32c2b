//! Whole-message sources: from blocks to HTML or MJML and back.
