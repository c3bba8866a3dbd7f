"""`model_card`: the page that ships with a model."""

def _model_card_impl(ctx):
    out = ctx.actions.declare_output(ctx.attrs.name + ".md")
    ctx.actions.run(
        cmd_args(
            ctx.attrs._render[RunInfo],
            ctx.attrs.template,
            out.as_output(),
            "name=" + ctx.attrs.name,
            "owner=" + ctx.attrs.owner,
            "source=" + str(ctx.attrs.model.label),
        ),
        category = "model_card",
    )
    return [DefaultInfo(default_output = out)]

model_card = rule(
    impl = _model_card_impl,
    attrs = {
        "model": attrs.dep(),
        "owner": attrs.string(),
        "template": attrs.source(default = "root//build_defs:model_card.tmpl"),
        "_render": attrs.exec_dep(default = "root//build_defs:render_card"),
    },
)
