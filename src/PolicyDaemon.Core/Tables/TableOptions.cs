using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>How a table's rows become destinations.</summary>
/// <param name="Postfix">The Postfix that rows are judged for.</param>
/// <param name="Since">The moment from which the rows' pins count, UTC, whole seconds.</param>
public sealed record TableOptions(PostfixSettings Postfix, DateTimeOffset Since)
{
    /// <summary>The treatment of rows whose pins Postfix cannot compare.</summary>
    public UnservableRows Unservable { get; init; } = UnservableRows.Refuse;

    /// <summary>Adds <c>example.com</c> for every <c>.example.com</c> that stands alone (<c>import --with-apex</c>).</summary>
    public bool WithApex { get; init; }

    /// <summary>
    /// The state of a pin from the table. Active, because the table has been in force: a standby pin that no probe sees would
    /// expire, and importing a working table must not start a clock.
    /// </summary>
    public PinState PinState { get; init; } = PinState.Active;

    /// <summary>Every destination is imported as observed.</summary>
    public bool Observe { get; init; }

    /// <summary>
    /// Rows may have the attributes of <see cref="EntryAttributes"/>, and whether they can be served is not judged here: that depends on what is
    /// configured already.
    /// </summary>
    public bool WithEntryAttributes { get; init; }
}

/// <summary>The treatment of a row whose pins are in another digest than Postfix compares (<c>import --unservable</c>).</summary>
public enum UnservableRows
{
    /// <summary>A problem, and with it nothing is imported.</summary>
    Refuse,

    /// <summary>An observed entry: not enforced while its pins are in another digest.</summary>
    Observe,

    /// <summary>A row like any other: the caller carries its pins over to the digest that Postfix compares, or decides what becomes of it.</summary>
    Keep,
}
