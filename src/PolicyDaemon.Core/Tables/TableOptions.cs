using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>How a table's rows become destinations.</summary>
/// <param name="Postfix">For which Postfix they are judged.</param>
/// <param name="Since">The moment from which their pins count, UTC, whole seconds.</param>
public sealed record TableOptions(PostfixSettings Postfix, DateTimeOffset Since)
{
    /// <summary>What becomes of rows whose pins Postfix cannot compare.</summary>
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
}
