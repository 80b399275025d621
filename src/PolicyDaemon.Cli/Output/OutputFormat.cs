namespace PolicyDaemon.Cli.Output;

/// <summary>How standard output is written.</summary>
internal enum OutputFormat
{
    /// <summary>Aligned columns with a heading, colour on a terminal: for people.</summary>
    Table,

    /// <summary>One row a line, tabs between columns, no heading: for cut and awk. Columns are only ever added at the end.</summary>
    Tsv,

    /// <summary>One JSON value with the schema in <c>Output/Json</c>: members are only ever added.</summary>
    Json,
}
